"""Slips of stage 1: words and their vectors."""

from checks.expect import Slip

EARLY = [
    Slip("tokenize", "[a-z0-9]+(?:-[a-z0-9]+)*", "[a-z0-9]+", "when a code is split at its hyphen"),
    Slip(
        "tokenize", "[a-z0-9]+(?:-[a-z0-9]+)*", "[a-z]+(?:-[a-z]+)*", "when digits are thrown away"
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9-]+",
        "when a hyphen belongs to a word although it stands at its edge",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9]+(?:-[a-z0-9]+)?",
        "when a word may have one inner hyphen and no more",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9][a-z0-9-]*[a-z0-9]",
        "when a word of one letter or digit is lost",
    ),
    Slip("tokenize", "text.lower()", "text", "when the text is not put into lower case"),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        "text.lower().split()",
        "when the text is split at white space and signs stay on the words",
    ),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        'sorted(set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())))',
        "when each word is kept once, in alphabetical order",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "\\w+(?:-\\w+)+|[a-z]+",
        "when digits survive only beside a hyphen",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "\\w+(?:-\\w+)*",
        "when an underscore and letters beyond a-z belong to a word (as \\w has it)",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[^\\W_]+(?:-[^\\W_]+)*",
        "when letters beyond a-z belong to a word",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9]+(?:-+[a-z0-9]+)*",
        "when two hyphens in a row hold a word together",
    ),
    Slip(
        "fit_tfidf",
        "set(solution_tokenize(doc))",
        "solution_tokenize(doc)",
        "when df counts occurrences, not documents",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / counts)",
        "when the idf is the textbook ln(N / df)",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log((1 + len(docs)) / (1 + counts))",
        "when the + 1 after the logarithm is missing",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / counts) + 1",
        "when N and df are not smoothed by 1",
    ),
    Slip(
        "fit_tfidf",
        "np.log((1 + len(docs)) / (1 + counts)) + 1",
        "np.log(len(docs) / (1 + counts)) + 1",
        "when df is smoothed by 1 and N is not",
    ),
    Slip("fit_tfidf", "np.log(", "np.log2(", "when the logarithm is to base 2"),
    Slip("fit_tfidf", "np.log(", "np.log10(", "when the logarithm is to base 10"),
    Slip(
        "fit_tfidf",
        "(1 + len(docs))",
        "(1 + sum(bool(doc) for doc in docs))",
        "when an empty document does not count in N",
    ),
    Slip(
        "fit_tfidf",
        "(1 + len(docs))",
        "(1 + len(set(docs)))",
        "when a text that stands twice counts once in N",
    ),
    Slip(
        "fit_tfidf",
        "(1 + len(docs))",
        "(1 + len(vocab))",
        "when N is the number of words, not of documents",
    ),
    Slip(
        "fit_tfidf",
        "for word in set(solution_tokenize(doc))",
        "for word in set(doc.split())",
        "when fit_tfidf splits at white space and does not use tokenize",
    ),
    Slip(
        "fit_tfidf",
        "enumerate(sorted(df))",
        "enumerate(sorted(df), 1)",
        "when the columns are not 0 to V - 1",
    ),
    Slip(
        "fit_tfidf",
        "counts = np.array([df[word] for word in vocab])",
        "counts = np.array([sum(w in doc.lower() for doc in docs) for w in vocab])",
        "when df counts documents that hold the letters, also inside a longer word",
    ),
    Slip(
        "transform",
        "tf[row, vocab[word]] += 1",
        "tf[row, vocab[word]] = 1",
        "when a word counts once a text, however often it stands there",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = tf",
        "when the counts are not weighed with idf",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = tf * np.square(idf)",
        "when idf is multiplied in twice",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = np.log1p(tf) * idf",
        "when tf is put through a logarithm",
    ),
    Slip(
        "transform",
        "np.linalg.norm(weights, axis=1, keepdims=True)",
        "weights.sum(axis=1, keepdims=True)",
        "when a row is scaled to sum 1, not to length 1",
    ),
    Slip(
        "transform",
        "return weights / np.where(lengths > 0, lengths, 1)",
        "return weights",
        "when the rows are not scaled to length 1",
    ),
    Slip(
        "transform",
        "np.where(lengths > 0, lengths, 1)",
        "lengths",
        "when a row of zeros is divided by its length 0",
    ),
    Slip(
        "transform",
        "np.linalg.norm(weights, axis=1, keepdims=True)",
        "np.linalg.norm(weights)",
        "when all rows together are scaled to length 1",
    ),
    Slip("transform", "axis=1", "axis=0", "when columns are scaled to length 1, not rows"),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            tf[row, vocab.get(word, -1)] += 1
    weights = tf * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when an unknown word is counted in the last column",
    ),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            tf[row, vocab[word]] += 1
    weights = tf * idf
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when an unknown word raises KeyError",
    ),
    Slip(
        "transform",
        None,
        """
def solution_transform(texts, vocab, idf):
    tf = np.zeros((len(texts), len(vocab)))
    for row, text in enumerate(texts):
        for word in solution_tokenize(text):
            if word in vocab:
                tf[row, vocab[word]] += 1
    own = np.count_nonzero(tf, axis=0)
    weights = tf * (np.log((1 + len(texts)) / (1 + own)) + 1)
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(lengths > 0, lengths, 1)
""",
        "when idf is fitted again on the texts that come in",
    ),
    Slip(
        "transform",
        "for word in solution_tokenize(text)",
        "for word in text.split()",
        "when transform splits at white space and does not use tokenize",
    ),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        're.findall(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*", text)',
        "when capitals stay as they are",
    ),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9]+(-[a-z0-9]+)*",
        "when findall gives what a group caught, and not the word",
    ),
    Slip(
        "tokenize",
        're.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())',
        'list(dict.fromkeys(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", text.lower())))',
        "when a word that comes again is left out",
    ),
    Slip(
        "tokenize",
        "text.lower()",
        'text.lower().replace("-", "")',
        "when hyphens are taken out of words",
    ),
    Slip("tokenize", "(?:-[", "(?:['-][", "when an apostrophe holds a word together"),
    Slip("tokenize", "(?:-[", "(?:[.-][", "when a dot inside a number holds it together"),
    Slip(
        "tokenize",
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "[a-z0-9_]+(?:-[a-z0-9_]+)*",
        "when an underscore belongs to a word",
    ),
    Slip("fit_tfidf", "(1 + counts)", "counts", "when N is smoothed by 1 and df is not"),
    Slip(
        "transform",
        "np.linalg.norm(weights,",
        "np.linalg.norm(tf,",
        "when rows are scaled by their length before idf",
    ),
    Slip(
        "transform",
        "np.zeros((len(texts), len(vocab)))",
        "np.zeros((len(texts), len(vocab)), dtype=np.uint8)",
        "when counts are kept in a byte, which ends at 255",
    ),
    Slip(
        "transform",
        "weights = tf * idf",
        "weights = np.where(tf > 0, 1 + np.log(np.maximum(tf, 1)), 0) * idf",
        "when tf is 1 + ln tf",
    ),
    Slip(
        "transform",
        "tf[row, vocab[word]] += 1",
        "tf[row, list(vocab).index(word)] += 1",
        "when columns follow the order of the dict, not its numbers",
    ),
    Slip(
        "transform",
        "tf[row, vocab[word]] += 1",
        "tf[row, sorted(vocab).index(word)] += 1",
        "when columns follow the alphabet, not the numbers in vocab",
    ),
    Slip(
        "transform",
        "if word in vocab:",
        "if vocab.get(word):",
        "when the word of column 0 is taken for unknown, as 0 is false",
    ),
    Slip(
        "transform",
        "            if word in vocab:\n                tf[row, vocab[word]] += 1",
        "            tf[row, vocab.get(word, 0)] += 1",
        "when an unknown word is counted in column 0",
    ),
    Slip(
        "transform",
        "np.where(lengths > 0, lengths, 1)",
        "np.maximum(lengths, 1)",
        "when rows shorter than 1 are left as they are",
    ),
]
