# Right, but unusual: every cell is an answer to one stage, and each must pass.

# %% Stage 5: nanoGPT: tied weights, no biases, N(0, .02), a registered tril buffer
class CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.context, self.n_head = context, n_heads
        self.wte, self.wpe = nn.Embedding(vocab, d), nn.Embedding(context, d)
        self.h = nn.ModuleList()
        for _ in range(n_layers):
            block = nn.Module()
            block.ln_1, block.ln_2 = nn.LayerNorm(d, bias=False), nn.LayerNorm(d, bias=False)
            block.c_attn = nn.Linear(d, 3 * d, bias=False)
            block.c_proj = nn.Linear(d, d, bias=False)
            block.c_fc, block.mlp_proj = nn.Linear(d, 4 * d, bias=False), nn.Linear(4 * d, d, bias=False)
            self.h.append(block)
        self.ln_f = nn.LayerNorm(d, bias=False)
        self.lm_head = nn.Linear(d, vocab, bias=False)
        self.wte.weight = self.lm_head.weight
        self.register_buffer("bias", torch.tril(torch.ones(context, context)).view(1, 1, context, context))
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                torch.nn.init.normal_(m.weight, mean=0.0, std=0.02)

    def forward(self, idx):
        B, T = idx.size()
        x = self.wte(idx) + self.wpe(torch.arange(0, T, dtype=torch.long, device=idx.device))
        for b in self.h:
            C = x.size(-1)
            q, k, v = b.c_attn(b.ln_1(x)).split(C, dim=2)
            k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
            y = F.softmax(att, dim=-1) @ v
            x = x + b.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))
            x = x + b.mlp_proj(F.gelu(b.c_fc(b.ln_2(x))))
        return self.lm_head(self.ln_f(x))


@torch.no_grad()
def sample(model, prompt, n, rng):
    idx = torch.tensor(prompt, dtype=torch.long)[None]
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    for _ in range(n):
        cond = idx if idx.size(1) <= model.context else idx[:, -model.context :]
        probs = F.softmax(model(cond)[:, -1, :], dim=-1)
        idx = torch.cat((idx, torch.multinomial(probs, num_samples=1, generator=generator)), dim=1)
    return idx[0].tolist()

# %% Stage 5: PyTorch's own encoder layer, sinusoidal positions, inverse distribution function
class CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.block_size = context
        self.embed = nn.Embedding(vocab, d)
        at = torch.arange(context)[:, None] / 10_000 ** (torch.arange(0, d, 2) / d)
        self.register_buffer("pe", torch.stack([at.sin(), at.cos()], -1).flatten(1))
        layer = nn.TransformerEncoderLayer(d, n_heads, 4 * d, 0.0, "gelu", batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, n_layers, nn.LayerNorm(d), enable_nested_tensor=False)
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        T = ids.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(T)
        return self.head(self.body(self.embed(ids) + self.pe[:T], mask=mask, is_causal=True))


def next_char_loss(model, ids):
    logp = model(ids[..., :-1]).log_softmax(-1)
    return -logp.gather(-1, ids[..., 1:, None]).mean()


def sample(model, prompt, n, rng):
    ids = np.array(prompt)
    model.eval()
    for u in rng.random(n):
        with torch.inference_mode():
            logits = model(torch.as_tensor(ids[-model.block_size :])[None])[0, -1]
        share = np.exp(logits.numpy().astype(float))
        ids = np.append(ids, np.searchsorted(np.cumsum(share / share.sum()), u))
    return ids

# %% Stage 5: softmax, mask, renormalise; log-probabilities out; rotary positions; a loop over heads
class CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.context, self.n_heads, self.d_head = context, n_heads, d // n_heads
        self.embed = nn.Embedding(vocab, d)
        self.layers = nn.ModuleList()
        for _ in range(n_layers):
            parts = {name: nn.Linear(d, d) for name in "qkvo"}
            parts |= {"n1": nn.LayerNorm(d), "n2": nn.LayerNorm(d)}
            parts |= {"up": nn.Linear(d, 4 * d), "down": nn.Linear(4 * d, d)}
            self.layers.append(nn.ModuleDict(parts))
        self.last = nn.LayerNorm(d)
        self.head = nn.Linear(d, vocab)

    def turn(self, x):
        half = self.d_head // 2
        angle = torch.arange(x.shape[1])[:, None] * 100.0 ** (-torch.arange(half) / half)
        a, b = x[..., :half], x[..., half:]
        return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)

    def forward(self, ids):
        x = self.embed(ids)
        seen = torch.ones(ids.shape[1], ids.shape[1]).tril()
        for part in self.layers:
            read, heads = part["n1"](x), []
            q, k, v = part["q"](read), part["k"](read), part["v"](read)
            for h in range(self.n_heads):
                c = slice(h * self.d_head, (h + 1) * self.d_head)
                w = (self.turn(q[..., c]) @ self.turn(k[..., c]).mT / self.d_head**0.5).softmax(-1) * seen
                heads.append(w / w.sum(-1, keepdim=True) @ v[..., c])
            x = x + part["o"](torch.cat(heads, -1))
            x = x + part["down"](F.gelu(part["up"](part["n2"](x))))
        return self.head(self.last(x)).log_softmax(-1)


def next_char_loss(model, ids):
    logits = model(ids[:, :-1]).movedim(-1, 1)
    return nn.CrossEntropyLoss()(logits, ids[:, 1:])

# %% Stage 5: MultiheadAttention, residual branches that start at zero, a float mask
class CharLM(nn.Module):
    def __init__(self, vocab, d, n_heads, n_layers, context):
        super().__init__()
        self.context = context
        self.tok = nn.Embedding(vocab, d)
        self.pos = nn.Parameter(torch.zeros(1, context, d))
        self.att = nn.ModuleList(nn.MultiheadAttention(d, n_heads, batch_first=True) for _ in range(n_layers))
        self.mlp = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.ReLU(), nn.Linear(4 * d, d)) for _ in range(n_layers)
        )
        self.ln = nn.ModuleList(nn.LayerNorm(d) for _ in range(n_layers))
        self.out = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, vocab, bias=False))
        for a, m in zip(self.att, self.mlp):
            nn.init.zeros_(a.out_proj.weight)
            nn.init.zeros_(m[-1].weight)

    def forward(self, ids):
        t = ids.size(1)
        x = self.tok(ids) + self.pos[:, :t]
        mask = torch.full((t, t), -1e9).triu(1)
        for ln, att, mlp in zip(self.ln, self.att, self.mlp):
            r = ln(x)
            x = x + att(r, r, r, attn_mask=mask, need_weights=False)[0]
            x = x + mlp(x)
        return self.out(x)

# %% Stage 6: complex numbers
def rope(x, positions):
    d = x.shape[-1]
    z = x[..., 0::2] + 1j * x[..., 1::2]
    turn = np.exp(1j * np.outer(positions, 10000.0 ** (-np.arange(d // 2) / (d // 2))))
    z = z * turn
    out = np.empty(x.shape)
    out[..., 0::2], out[..., 1::2] = z.real, z.imag
    return out

# %% Stage 6: halves, base 500,000, rotate_half as LLaMA's Hugging Face code has it
def rope(x, positions):
    d = x.shape[-1]
    inv = 1.0 / 500000.0 ** (np.arange(0, d, 2, dtype=float) / d)
    f = np.outer(np.asarray(positions, float), inv)
    emb = np.concatenate([f, f], axis=-1)
    half = np.concatenate([-x[..., d // 2 :], x[..., : d // 2]], axis=-1)
    return x * np.cos(emb) + half * np.sin(emb)

# %% Stage 6: a matrix for each position, turning the other way
def rope(x, positions):
    d = x.shape[-1]
    out = np.zeros(x.shape)
    for row, m in enumerate(positions):
        r = np.zeros((d, d))
        for p in range(d // 2):
            a = int(m) * 10000 ** (-2 * p / d)
            r[2 * p : 2 * p + 2, 2 * p : 2 * p + 2] = [[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]]
        out[..., row, :] = x[..., row, :] @ r
    return out

# %% Stage 6: outermost columns paired, nested lists out
def rope(x, positions):
    d = x.shape[-1]
    out = np.array(x, dtype=float)
    for p in range(d // 2):
        a = np.asarray(positions) / 1000 ** (p / d)
        out[..., p] = x[..., p] * np.cos(a) - x[..., d - 1 - p] * np.sin(a)
        out[..., d - 1 - p] = x[..., p] * np.sin(a) + x[..., d - 1 - p] * np.cos(a)
    return out.tolist()
