"""Lab 2 against PyTorch, which stages 1 to 4 may not import, and the figures of its prose."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from checks.lab_2_transformer import charlm, oracles
from checks.runner.lab import ROOT
from checks.runner.workbench import Workbench
from tests.workshop import LABS, judged, solved

LAB = next(lab for lab in LABS if lab.number == 2)
FUNCTIONS = ["softmax", "attention", "causal_mask", "split_heads", "merge_heads", "layer_norm"]
FUNCTIONS += ["gelu", "transformer_block", "CharLM", "next_char_loss", "sample", "rope"]
GIVEN = ["make_params", "grammar_text"]
SPACE = Workbench(LAB).build([*(f"solution_{name}" for name in FUNCTIONS), *GIVEN])
SOLVED = {name: SPACE[f"solution_{name}"] for name in FUNCTIONS}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def tensors(*arrays):
    return [torch.from_numpy(np.array(a)) for a in arrays]


def random_arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("attention", [SOLVED["attention"], oracles.slow_attention])
@pytest.mark.parametrize("mask", [None, "grid", "keys", "batch"])
def test_attention_and_its_oracle_agree_with_pytorch(attention, mask):
    q, k, v = random_arrays(1, (2, 3, 4, 6), (2, 3, 5, 6), (2, 3, 5, 7))
    shape = {None: None, "grid": (4, 5), "keys": (5,), "batch": (2, 1, 1, 5)}[mask]
    if shape is not None:
        mask = np.random.default_rng(2).random(shape) < 0.6
        mask[..., 1] = True
    broad = None if mask is None else torch.from_numpy(np.broadcast_to(mask, (2, 3, 4, 5)).copy())
    expected = F.scaled_dot_product_attention(*tensors(q, k, v), attn_mask=broad)
    np.testing.assert_allclose(attention(q, k, v, mask)[0], expected, rtol=0, atol=1e-12)


def test_softmax_agrees_with_pytorch():
    (x,) = random_arrays(3, (3, 4, 5))
    for axis in (0, 1, 2, -1):
        expected = torch.from_numpy(100 * x).softmax(axis)
        np.testing.assert_allclose(SOLVED["softmax"](100 * x, axis), expected, atol=1e-12)


def test_the_mask_is_the_lower_right_one_of_pytorch():
    bias = pytest.importorskip("torch.nn.attention.bias")
    for n_queries, n_keys in [(3, 3), (2, 5), (1, 7)]:
        expected = bias.causal_lower_right(n_queries, n_keys)._materialize()
        for mask in (SOLVED["causal_mask"], oracles.slow_mask):
            assert np.array_equal(mask(n_queries, n_keys), expected)


@pytest.mark.parametrize("layer_norm", [SOLVED["layer_norm"], oracles.slow_layer_norm])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_layer_norm_and_its_oracle_agree_with_pytorch(layer_norm, scale):
    x, gain, bias = random_arrays(4, (2, 3, 7), (7,), (7,))
    module = nn.LayerNorm(7).double()
    module.weight.data, module.bias.data = tensors(gain, bias)
    expected = module(torch.from_numpy(scale * x)).detach()
    np.testing.assert_allclose(layer_norm(scale * x, gain, bias), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("gelu", [SOLVED["gelu"], oracles.slow_gelu])
def test_gelu_and_its_oracle_agree_with_pytorch(gelu):
    x = np.linspace(-9, 9, 1803).reshape(3, -1)
    np.testing.assert_allclose(gelu(x), nn.GELU()(torch.from_numpy(x)), rtol=0, atol=1e-12)


def test_the_tanh_formula_is_as_far_away_as_the_prose_says():
    x = torch.linspace(-6, 6, 24001, dtype=torch.float64)
    gap = (F.gelu(x) - F.gelu(x, approximate="tanh")).abs().max()
    assert 4.6e-4 < gap < 4.75e-4
    assert "4.7 \\cdot 10^{-4}" in LAB.text


@pytest.mark.parametrize("block", [SOLVED["transformer_block"], oracles.slow_block])
def test_the_block_and_its_oracle_agree_with_pytorchs_encoder_layer(block):
    d, n_heads = 12, 3
    params = oracles.block_params(d)
    layer = nn.TransformerEncoderLayer(
        d, n_heads, 4 * d, 0.0, "gelu", batch_first=True, norm_first=True, dtype=torch.float64
    )
    names = {
        "norm1.weight": "ln1_gain", "norm1.bias": "ln1_bias",
        "norm2.weight": "ln2_gain", "norm2.bias": "ln2_bias",
        "self_attn.in_proj_weight": "w_qkv", "self_attn.in_proj_bias": "b_qkv",
        "self_attn.out_proj.weight": "w_out", "self_attn.out_proj.bias": "b_out",
        "linear1.weight": "w_up", "linear1.bias": "b_up",
        "linear2.weight": "w_down", "linear2.bias": "b_down",
    }  # fmt: skip
    layer.load_state_dict({t: torch.from_numpy(params[o].T.copy()) for t, o in names.items()})
    (x,) = random_arrays(5, (2, 5, d))
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64)
    expected = layer(torch.from_numpy(x), src_mask=mask, is_causal=True).detach()
    np.testing.assert_allclose(block(x, params, n_heads), expected, rtol=0, atol=1e-12)


def test_heads_are_those_of_pytorch():
    (x,) = random_arrays(6, (2, 5, 12))
    expected = torch.from_numpy(x).unflatten(-1, (3, 4)).transpose(1, 2)
    assert np.array_equal(SOLVED["split_heads"](x, 3), expected)
    assert np.array_equal(oracles.slow_split(x, 3), expected)


@pytest.mark.parametrize("d", [64, 768])
def test_a_block_has_as_many_parameters_as_the_formula_says(d):
    params = SPACE["make_params"](np.random.default_rng(0), d)
    assert sum(part.size for part in params.values()) == 12 * d * d + 13 * d
    layer = nn.TransformerEncoderLayer(d, 1, 4 * d)
    assert sum(part.numel() for part in layer.parameters()) == 12 * d * d + 13 * d


def test_the_standard_deviation_of_a_dot_product_grows_as_the_root_of_d():
    for d in (4, 64, 1024):
        q, k = random_arrays(7, (4000, d), (4000, d))
        assert abs((q * k).sum(axis=1).std() / math.sqrt(d) - 1) < 0.06


def test_rope_turns_complex_numbers():
    (x,) = random_arrays(8, (2, 3, 8))
    speeds = 10_000.0 ** (-np.arange(4) / 4)
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * np.outer([5, 0, 90], speeds))
    got = SOLVED["rope"](x, np.array([5, 0, 90]))
    np.testing.assert_allclose(got[..., 0::2] + 1j * got[..., 1::2], turned, atol=1e-12)


def test_the_grammar_of_the_lab_is_the_one_of_the_check():
    text = SPACE["grammar_text"](np.random.default_rng(9), 40)
    ids, size = charlm.grammar_ids(np.random.default_rng(9), 40)
    every = sorted(set(SPACE["grammar_text"](np.random.default_rng(0), 2000)))
    assert size == len(every) == 26
    assert [every[i] for i in ids] == list(text)


def test_the_entropy_is_the_rate_of_the_texts_own_probability():
    """Each sentence's surprise, from its words, over the characters that it took."""
    text = SPACE["grammar_text"](np.random.default_rng(10), 4000)
    surprise = 0.0
    for word in text.replace(".", "").split():
        for words in (charlm.DETS, charlm.ADJS, charlm.NOUNS, charlm.VERBS):
            surprise += math.log(len(words)) if word in words else 0.0
    surprise += 2 * 4000 * math.log(2)  # is there an adjective?
    assert abs(charlm.entropy() - 0.432) < 5e-4
    assert abs(surprise / len(text) / charlm.entropy() - 1) < 0.01


def test_drawing_passes_a_right_sampler_whatever_the_seed_of_its_draws():
    """The bound on the shares, swept: 20,000 runs of 6,000 draws stay within .035."""
    shares = np.random.default_rng(11).multinomial(6000, [0.6, 0.3, 0.1], size=20_000) / 6000
    assert np.abs(shares - [0.6, 0.3, 0.1]).max() < 0.035


def other(*changes):
    """The reference model with a few texts replaced."""
    source = LAB.source(LAB.definition("solution_CharLM"))
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    return Workbench(LAB.splice("solution_CharLM", source)).build(["solution_CharLM"])[
        "solution_CharLM"
    ]


def loss_after(model_class, steps, monkeypatch):
    monkeypatch.setattr(charlm, "STEPS", steps)
    return charlm.validation_loss(*charlm.trained(model_class, SOLVED["next_char_loss"]))


def test_the_loss_alone_misses_a_model_without_a_mask_and_catches_one_off_by_one(monkeypatch):
    blind = other(("is_causal=True", "is_causal=False"))
    assert charlm.entropy() < loss_after(blind, 90, monkeypatch) < charlm.CEILING
    tril = "torch.ones(2 * q.shape[-2:-1], dtype=torch.bool).tril(1)"
    leaky = other(("is_causal=True", tril))
    assert loss_after(leaky, 120, monkeypatch) < charlm.entropy() / 2


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6])
def test_numpy_stages_never_import_torch(number):
    """A fresh Python judges the stage as solved, and then looks at what it has imported."""
    code = (
        "import sys\n"
        "from checks.runner.judge import Judge\n"
        "from checks.runner.lab import Lab, find\n"
        "verdict = Judge(Lab(find('2'), sys.stdin.read())).judge(int(sys.argv[1]))\n"
        "print(verdict.state, 'torch' in sys.modules, 'matplotlib' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(number)],
        cwd=ROOT, input=solved(LAB).text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["passed", "False", "False"]


def test_a_leak_that_only_training_reaches_is_named_before_training(monkeypatch):
    """The perturbation test comes first: a leaky model is refused without being trained."""
    monkeypatch.setattr(charlm, "training", lambda *parts: pytest.fail("it was trained"))
    leaky = LAB.source(LAB.definition("solution_CharLM")).replace(
        "is_causal=True", "is_causal=False"
    )
    verdict = judged(solved(LAB).splice("CharLM", leaky.replace("solution_", "")), 5)
    assert verdict.message == "perturbation test: id 1 of 6 changed, rows of logits that moved"


def test_the_trained_model_is_told_which_of_the_two_tests_broke(monkeypatch):
    """A model that reads ahead at full length only: small models pass, the trained one does not."""
    monkeypatch.setattr(charlm, "STEPS", 110)
    ahead = "is_causal=True) if ids.shape[1] < 32 else F.scaled_dot_product_attention(q, k, v"
    leaky = LAB.source(LAB.definition("solution_CharLM")).replace("is_causal=True", ahead)
    verdict = judged(solved(LAB).splice("CharLM", leaky.replace("solution_", "")), 5)
    assert verdict.message == "validation loss after 110 steps: not below the entropy of the text"
