"""Wrong on purpose: what people write in stages 4 to 6 of lab 3, and what each of them gives."""

from checks.expect import Slip

LATE = [
    Slip("build_vocab", "range(256)", "range(255)", "when byte 255 is left out"),
    Slip("build_vocab", "range(256)", "range(128)", "when only the 128 ASCII bytes are there"),
    Slip(
        "build_vocab",
        None,
        """
BYTES = {byte: bytes([byte]) for byte in range(256)}

def solution_build_vocab(merges):
    vocab = BYTES
    for new_id, (left, right) in enumerate(merges, 256):
        vocab[new_id] = vocab[left] + vocab[right]
    return vocab
""",
        "when every call adds to the same dict, which was made once",
    ),
    Slip(
        "build_vocab",
        "bytes([byte])",
        "bytes(byte)",
        "when bytes(n) is called, which makes n zero bytes",
    ),
    Slip("build_vocab", "bytes([byte])", "chr(byte).encode()", "when characters are put for bytes"),
    Slip(
        "build_vocab",
        "vocab[left] + vocab[right]",
        "vocab[right] + vocab[left]",
        "when the two parts are joined the wrong way round",
    ),
    Slip(
        "build_vocab",
        "enumerate(merges, 256)",
        "enumerate(merges, 257)",
        "when the first merge gets the id 257",
    ),
    Slip(
        "decode",
        'b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")',
        '"".join(vocab[i].decode("utf-8", errors="replace") for i in ids)',
        "when each token is decoded alone, in place of the joined bytes",
    ),
    Slip(
        "decode",
        'errors="replace"',
        'errors="ignore"',
        "when bytes that are no text vanish in place of being marked",
    ),
    Slip(
        "decode",
        'errors="replace"',
        'errors="strict"',
        "when bytes that are no text raise in place of being marked",
    ),
    Slip(
        "decode",
        'decode("utf-8", errors="replace")',
        'decode("latin-1")',
        "when bytes are read as Latin-1",
    ),
    Slip(
        "build_vocab",
        "enumerate(merges, 256)",
        "enumerate(merges)",
        "when the merges are numbered from 0, over the bytes",
    ),
    Slip(
        "build_vocab",
        "vocab[left] + vocab[right]",
        "bytes([left, right])",
        "when the parts of a merge are taken for bytes, though a part may be a merge",
    ),
    Slip(
        "decode",
        'b"".join(vocab[i] for i in ids).decode("utf-8", errors="replace")',
        'str(b"".join(vocab[i] for i in ids))',
        "when str() shows the bytes, in place of decoding them",
    ),
    Slip(
        "encode",
        'list(text.encode("utf-8"))',
        "[ord(c) for c in text]",
        "when characters are taken for bytes",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "max(found, key=ranks.get)",
        "when the highest rank is merged first",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "found[0]",
        "when the leftmost pair is merged first",
    ),
    Slip(
        "encode",
        "min(found, key=ranks.get)",
        "max(found, key=list(zip(ids, ids[1:])).count)",
        "when the most frequent pair is merged first",
    ),
    Slip("encode", "256 + ranks[pair]", "257 + ranks[pair]", "when new ids begin at 257"),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    tokens = {i: bytes([i]) for i in range(256)}
    for new, (left, right) in enumerate(merges, 256):
        tokens[new] = tokens[left] + tokens[right]
    data, ids = text.encode("utf-8"), []
    while data:
        fits = [i for i, token in tokens.items() if data.startswith(token)]
        best = max(fits, key=lambda i: len(tokens[i]))
        ids.append(best)
        data = data[len(tokens[best]):]
    return ids
""",
        "when the longest token that fits is taken",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    pairs = [pair for pair in merges if pair in zip(ids, ids[1:])]
    return solution_merge(ids, pairs[0], 256 + merges.index(pairs[0])) if pairs else ids
""",
        "when only one merge is applied",
    ),
    Slip(
        "encode",
        "if pair in ranks",
        "if ranks.get(pair)",
        "when the rank 0 is taken for no rank at all",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    for rank, pair in enumerate(merges):
        if pair not in zip(ids, ids[1:]):
            break
        ids = merge(ids, pair, 256 + rank)
    return ids
""",
        "when the first merge that is not there ends it",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    ids = list(text.encode("utf-8"))
    while len(ids) > 1:
        pair = min(zip(ids, ids[1:]), key=lambda pair: ranks.get(pair, len(ranks)))
        ids = merge(ids, pair, 256 + ranks[pair])
    return ids
""",
        "when the loop goes on although no pair has a rank",
    ),
    Slip(
        "compression_ratio",
        'len(text.encode("utf-8"))',
        "len(text)",
        "when characters are counted, not bytes",
    ),
    Slip(
        "compression_ratio",
        'len(text.encode("utf-8")) / len(solution_encode(text, merges))',
        'len(solution_encode(text, merges)) / len(text.encode("utf-8"))',
        "when the ratio is upside down",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = []
    for word in re.findall(r" ?\\S+|\\s+", text):
        part = list(word.encode("utf-8"))
        for rank, pair in enumerate(merges):
            part = merge(part, pair, 256 + rank)
        ids += part
    return ids
""",
        "when the text is cut into words first",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    for rank, pair in enumerate(merges):
        while pair in zip(ids, ids[1:]):
            at = max(i for i in range(len(ids) - 1) if (ids[i], ids[i + 1]) == pair)
            ids[at : at + 2] = [256 + rank]
    return ids
""",
        "when the last place of a pair is merged first",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    for pair in train(text.encode("utf-8"), len(merges)):
        if pair in merges:
            ids = merge(ids, pair, 256 + merges.index(pair))
    return ids
""",
        "when the text is trained on again, in place of the merges that were given",
    ),
    Slip(
        "compression_ratio",
        "/ len(",
        "// len(",
        "when the division drops what is behind the point",
    ),
    Slip(
        "compression_ratio",
        "len(solution_encode(text, merges))",
        "len(set(solution_encode(text, merges)))",
        "when each different token counts once",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = list(text.encode("utf-8"))
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    for pair in dict.fromkeys(zip(ids, ids[1:])):
        if pair in ranks:
            ids = solution_merge(ids, pair, 256 + ranks[pair])
    return ids
""",
        "when only the pairs of the bytes are merged, and none that a merge brings about",
    ),
    Slip(
        "build_vocab",
        "enumerate(merges, 256)",
        "enumerate(merges, 255)",
        "when the first merge gets the id 255, which is a byte",
    ),
    Slip(
        "build_vocab",
        "vocab[left] + vocab[right]",
        '(vocab[left] + vocab[right]).decode(errors="replace").encode()',
        "when tokens are kept as text, though a token may be a part of a character",
    ),
    Slip(
        "build_vocab",
        "vocab[left] + vocab[right]",
        "(vocab[left] + vocab[right]).strip()",
        "when spaces at the edges of a token are dropped",
    ),
    Slip(
        "build_vocab",
        None,
        """
def solution_build_vocab(merges):
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [tokens[left] + tokens[right] for left, right in merges if max(left, right) < 256]
    return dict(enumerate(tokens))
""",
        "when merges of merges are left out",
    ),
    Slip(
        "build_vocab",
        None,
        """
def solution_build_vocab(merges):
    vocab = {byte: bytes([byte]) for byte in range(256)}
    for left, right in merges:
        token = vocab[left] + vocab[right]
        if token not in vocab.values():
            vocab[len(vocab)] = token
    return vocab
""",
        "when a second token of the same bytes gets no id",
    ),
    Slip(
        "decode",
        None,
        """
def solution_decode(ids, vocab):
    try:
        return b"".join(vocab[i] for i in ids).decode("utf-8")
    except UnicodeDecodeError:
        return "".join(vocab[i].decode("utf-8", errors="replace") for i in ids)
""",
        "when one bad byte makes each token be decoded alone",
    ),
    Slip(
        "decode",
        None,
        """
def solution_decode(ids, vocab):
    import codecs
    reader = codecs.getincrementaldecoder("utf-8")(errors="replace")
    return "".join(reader.decode(vocab[i]) for i in ids)
""",
        "when a character that is cut off at the end is waited for, and never marked",
    ),
    Slip(
        "decode",
        "vocab[i] for i in ids",
        "vocab[ids.pop(0)] for _ in range(len(ids))",
        "when the caller's list of ids is used up",
    ),
    Slip(
        "decode",
        '.decode("utf-8", errors="replace")',
        '.decode("utf-8", errors="replace").strip()',
        "when spaces and line ends at the edges are dropped",
    ),
    Slip(
        "encode",
        None,
        """
def solution_encode(text, merges):
    ids = []
    for line in text.splitlines(keepends=True):
        part = list(line.encode("utf-8"))
        for rank, pair in enumerate(merges):
            part = merge(part, pair, 256 + rank)
        ids += part
    return ids
""",
        "when the text is cut into lines first",
    ),
    Slip(
        "encode",
        "enumerate(merges)",
        "enumerate(reversed(merges))",
        "when the ranks are counted from the end",
    ),
    Slip(
        "compression_ratio",
        None,
        """
def solution_compression_ratio(text, merges):
    data = text.encode("utf-8")
    return len(data) / len(encode(text, train(data, len(merges))))
""",
        "when the ratio is taken with merges learned from the text itself",
    ),
    Slip(
        "compression_ratio",
        'return len(text.encode("utf-8")) / len(solution_encode(text, merges))',
        'return 1 - len(solution_encode(text, merges)) / len(text.encode("utf-8"))',
        "when the share that is saved is returned, not the ratio",
    ),
]
