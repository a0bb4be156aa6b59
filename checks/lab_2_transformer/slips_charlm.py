"""Wrong on purpose, stage 5: the model, its loss, its sampling."""

from checks.expect import Slip

SDPA = "F.scaled_dot_product_attention(q, k, v, is_causal=True)"
HEADS = "[part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in parts]"
BLOCKS = "nn.ModuleList(self._block(d) for _ in range(n_layers))"
POSITION = "self.position.weight[: ids.shape[1]]"
ENTROPY = "F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())"
DRAW = "ids.append(int(rng.choice(len(p), p=p)))"

# A layer of zeros writes the same constant in each of the three, and no finer case is fair:
# what a layer is made of is the learner's.
STREAM = "stream"

# All three let every row see every id; how much of it they see is not to be told from outside.
LEAK = "leak"

SLIPS = [
    Slip(
        "CharLM",
        SDPA,
        "(q @ k.mT / q.shape[-1] ** 0.5).softmax(-1).tril() @ v",
        "when weights are zeroed after the softmax and not divided by their new sum",
        twin=LEAK,
    ),
    Slip(
        "CharLM",
        SDPA,
        "(q @ k.mT / q.shape[-1] ** 0.5).tril().softmax(-1) @ v",
        "when hidden logits become 0, which softmax turns into a weight",
        twin=LEAK,
    ),
    Slip(
        "CharLM",
        'x = x + block["out"]',
        'x = block["out"]',
        "when attention replaces the stream and is not added to it",
        twin=STREAM,
    ),
    Slip(
        "CharLM",
        'x = x + block["mlp"]',
        'x = block["mlp"]',
        "when the MLP replaces the stream and is not added to it",
        twin=STREAM,
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
        "when the norm stands after each addition (post-LN)",
        twin=STREAM,
    ),
    Slip(
        "CharLM",
        "is_causal=True",
        "is_causal=False",
        "when attention has no causal mask",
        twin=LEAK,
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
    Slip("CharLM", f" + {POSITION}", "", "when there is no position embedding"),
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
        "when [block] * n_layers repeats one block, and all layers share its parameters",
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
        "when all columns make one head, whatever n_heads says",
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
