"""Wrong on purpose, stage 5: the model, its loss, its sampling."""

from checks.expect import Slip

SDPA = "F.scaled_dot_product_attention(q, k, v, is_causal=True)"
HEADS = "[part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in parts]"
BLOCKS = "nn.ModuleList(self._block(d) for _ in range(n_layers))"
POSITION = "self.position.weight[: ids.shape[1]]"
ENTROPY = "F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())"
DRAW = "ids.append(int(rng.choice(len(p), p=p)))"

SLIPS = [
    Slip(
        "CharLM",
        None,
        """
class solution_CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.context = context
        self.token, self.position = nn.Embedding(vocab, d), nn.Embedding(context, d)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(d, n_heads, 4 * d, 0.0, "gelu", batch_first=True)
            for _ in range(n_layers)
        )
        self.unembedding = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight[: ids.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        for block in self.blocks:
            x = block(x, src_mask=mask, is_causal=True)
        return self.unembedding(x)
""",
        "when a layer replaces the stream, or norms it (post-LN), and does not only add to it",
    ),
    Slip(
        "CharLM",
        "is_causal=True",
        "is_causal=False",
        "when every position sees every id: no mask, or one that does not hide, or a sum over T",
    ),
    Slip(
        "CharLM",
        '            x = x + block["mlp"](block["ln2"](x))\n',
        "",
        "when forward leaves out the MLP",
    ),
    Slip("CharLM", "nn.GELU()", "nn.GELU(), nn.Dropout(0.1)", "when there is dropout"),
    Slip(
        "CharLM",
        "nn.Embedding(vocab, d)",
        "nn.Embedding(26, d)",
        "when the number of ids is fixed, whatever `vocab` says",
    ),
    Slip(
        "sample",
        "logits = model(window)[0, -1].double() ",
        "logits = model(window)[0, -1].double() \n"
        "        likely = logits >= logits.sort().values[-min(10, len(logits))]\n"
        "        likely &= likely.cumsum(0) <= 10\n"
        "        logits = logits.where(likely, -math.inf)",
        "when only the ten likeliest ids are drawn from (top-k)",
    ),
    Slip(
        "CharLM",
        SDPA,
        "F.scaled_dot_product_attention(q, k, v, torch.ones(2 * q.shape[-2:-1], dtype=torch.bool).tril(1))",
        "when each position also sees the one after it",
    ),
    Slip(
        "CharLM",
        SDPA,
        "F.scaled_dot_product_attention(q, k, v, torch.ones(2 * q.shape[-2:-1], dtype=torch.bool).triu())",
        "when each position sees itself and the future",
    ),
    Slip("CharLM", SDPA, "v", "when attention hands each position its own value only"),
    Slip("CharLM", f" + {POSITION}", "", "when nothing tells one position from another"),
    Slip(
        "CharLM",
        POSITION,
        "self.position.weight[-ids.shape[1] :]",
        "when positions are counted from the end of the context",
    ),
    Slip(
        "CharLM",
        BLOCKS,
        "nn.ModuleList([self._block(d)] * n_layers)",
        "when a further layer has no parameters of its own, as in [block] * n_layers",
    ),
    Slip(
        "CharLM",
        BLOCKS,
        "[self._block(d) for _ in range(n_layers)]",
        "when the blocks are in a plain list, which PyTorch does not look into",
    ),
    Slip(
        "CharLM", "in self.blocks:", "in self.blocks[:1]:", "when forward uses the first block only"
    ),
    Slip(
        "CharLM",
        HEADS,
        "[part.reshape(len(x), self.n_heads, ids.shape[1], -1) for part in parts]",
        "when the heads are cut by reshape alone, which mixes positions",
    ),
    Slip(
        "CharLM",
        HEADS,
        "[part.unflatten(-1, (1, -1)).transpose(1, 2) for part in parts]",
        "when the number of heads is fixed, whatever n_heads says",
    ),
    Slip(
        "CharLM",
        "heads.transpose(1, 2).flatten(2)",
        "heads.reshape(x.shape)",
        "when the heads are joined without swapping back first",
    ),
    Slip(
        "CharLM",
        "self.unembedding(self.norm(x))",
        "self.unembedding(self.norm(x)).softmax(dim=-1)",
        "when forward returns probabilities, not logits",
    ),
    Slip(
        "CharLM",
        "self.unembedding(self.norm(x))",
        "self.unembedding(self.norm(x[:, -1]))",
        "when forward returns the last position only",
    ),
    Slip(
        "CharLM",
        "self.unembedding(self.norm(x))",
        "self.norm(x)",
        "when forward stops at the stream, without the layer to V logits",
    ),
    Slip(
        "CharLM",
        None,
        """
class solution_CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.context = context
        self.token, self.position = nn.Embedding(vocab, d), nn.Embedding(context, d)
        layer = nn.TransformerEncoderLayer(d, n_heads, 4 * d, 0.0, "gelu", norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        self.unembedding = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight[: ids.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(len(ids))
        return self.unembedding(self.blocks(x, mask=mask))
""",
        "when attention runs over the batch, not over the positions (batch_first)",
    ),
    Slip(
        "next_char_loss",
        "logits.flatten(0, 1), ids[:, 1:].flatten()",
        "logits, ids[:, 1:]",
        "when cross_entropy is given (B, T, V), where it wants the classes second",
    ),
    Slip(
        "next_char_loss",
        "logits.flatten(0, 1), ids[:, 1:].flatten()",
        "logits.reshape(len(ids), -1, ids.shape[1] - 1), ids[:, 1:]",
        "when reshape turns (B, T, V) into (B, V, T), where only a transpose can",
    ),
    Slip(
        "next_char_loss",
        "ids[:, 1:].flatten()",
        "ids[:, :-1].flatten()",
        "when the model is asked for the id that it was fed, not for the next",
    ),
    Slip(
        "next_char_loss",
        "model(ids[:, :-1])",
        "model(ids)[:, :-1]",
        "when all T + 1 ids are fed, more than the context may hold",
    ),
    Slip(
        "next_char_loss",
        "model(ids[:, :-1])",
        "model(ids[:, 1:])",
        "when the model is fed the answers",
    ),
    Slip(
        "next_char_loss",
        "ids[:, 1:].flatten())",
        'ids[:, 1:].flatten(), reduction="sum")',
        "when the surprise is summed, not averaged",
    ),
    Slip(
        "next_char_loss",
        ENTROPY,
        f"{ENTROPY} / math.log(2)",
        "when the surprise is counted in bits, not nats",
    ),
    Slip(
        "next_char_loss",
        "logits.flatten(0, 1)",
        "logits.flatten(0, 1).softmax(dim=-1)",
        "when cross_entropy, which takes logits, is given probabilities",
    ),
    Slip(
        "next_char_loss",
        ENTROPY,
        "F.cross_entropy(logits[:, -1], ids[:, -1])",
        "when only the last position is asked",
    ),
    Slip(
        "next_char_loss",
        ENTROPY,
        f"{ENTROPY}.item()",
        "when .item() makes a plain number, and gradients stop",
    ),
    Slip("next_char_loss", ENTROPY, f"{ENTROPY}.detach()", "when .detach() cuts the gradient off"),
    Slip("next_char_loss", ENTROPY, f"-{ENTROPY}", "when the sign is turned round"),
    Slip(
        "next_char_loss",
        ENTROPY,
        f"{ENTROPY}.exp()",
        "when the perplexity is returned, not the loss",
    ),
    Slip(
        "sample",
        DRAW,
        "ids.append(int(p.argmax()))",
        "when the likeliest id is always taken, and nothing is drawn",
    ),
    Slip(
        "sample",
        DRAW,
        "ids.append(int(rng.integers(len(p))))",
        "when every id is equally likely to be drawn",
    ),
    Slip(
        "sample",
        DRAW,
        "ids.append(int(np.random.default_rng(0).choice(len(p), p=p)))",
        "when each draw starts the same random generator anew",
    ),
    Slip(
        "sample",
        DRAW,
        "ids.append(int(np.random.choice(len(p), p=p)))",
        "when the draw ignores `rng`, so that a seed repeats nothing",
    ),
    Slip(
        "sample",
        "ids[-model.context :]",
        "ids",
        "when the window is not cut to the last `context` ids",
    ),
    Slip(
        "sample",
        "ids[-model.context :]",
        "ids[: model.context]",
        "when the first `context` ids are fed, not the last",
    ),
    Slip(
        "sample", "ids[-model.context :]", "ids[-model.context + 1 :]", "when one id too few is fed"
    ),
    Slip("sample", "ids[-model.context :]", "ids[-1:]", "when only the newest id is fed"),
    Slip(
        "sample",
        "model(window)[0, -1]",
        "model(window)[0, 0]",
        "when the first row of logits is read, not the last",
    ),
    Slip(
        "sample",
        "ids[-model.context :]",
        "list(prompt)[-model.context :]",
        "when the prompt is fed each time, without what was drawn",
    ),
    Slip(
        "sample",
        "torch.tensor([ids[-model.context :]])",
        "torch.tensor([([0] * model.context + ids)[-model.context :]])",
        "when a short window is filled up with zeros",
    ),
    Slip(
        "sample",
        None,
        """
def solution_sample(model, prompt, n, rng):
    ids = list(prompt)
    for _ in range(n):
        with torch.no_grad():
            p = model(torch.tensor([ids[-model.context :]]))[0, -1].softmax(dim=-1)
        ids.append(int(rng.choice(len(p), p=p.double().numpy())))
    return ids
""",
        "when shares are made float64 only after the softmax, and do not sum to 1",
    ),
    Slip("sample", "ids = list(prompt)", "ids = prompt", "when the caller's own prompt grows"),
    Slip(
        "sample",
        "return ids",
        "return ids[len(prompt):]",
        "when the prompt is left out of the answer",
    ),
    Slip(
        "sample",
        "range(n)",
        "range(n - len(prompt))",
        "when n is taken for the length of the whole text",
    ),
    Slip(
        "sample",
        "logits.softmax(dim=-1)",
        "(logits / 0.8).softmax(dim=-1)",
        "when the logits are divided by a temperature",
    ),
]
