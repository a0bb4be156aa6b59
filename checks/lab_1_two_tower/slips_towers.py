"""Wrong on purpose, stages 1 to 3: towers, the loss, the correction."""

from checks.expect import Slip

RETURN = "F.normalize(self.table(ids), dim=1)"
START = "nn.init.normal_(self.table.weight, std=0.1)"

TOWER = [
    Slip("Tower", "super().__init__()", "pass", "when super().__init__() is not called first"),
    Slip("Tower", "(n_ids, d)\n", "(d, n_ids)\n", "when the table has d rows of n_ids numbers"),
    Slip("Tower", RETURN, "self.table(ids)", "when the rows are never scaled to length 1"),
    Slip("Tower", "dim=1", "dim=0", "when columns are scaled to length 1, not rows"),
    Slip(
        "Tower",
        RETURN,
        "self.table(ids) / self.table(ids).norm(dim=1, keepdim=True).detach()",
        "when the lengths are detached, so that the gradient knows nothing of the scaling",
    ),
    Slip(
        "Tower",
        f"return {RETURN}",
        """with torch.no_grad():
            self.table.weight.div_(self.table.weight.norm(dim=1, keepdim=True))
        return self.table(ids)""",
        "when the table itself is scaled in place, and the gradient knows nothing of it",
    ),
    Slip(
        "Tower",
        "nn.Embedding(n_ids, d)",
        "nn.Embedding(n_ids, d, sparse=True)",
        "when the table has sparse gradients, which Adam refuses",
    ),
    Slip(
        "Tower",
        "nn.Embedding(n_ids, d)",
        "nn.Embedding(1000, d)",
        "when the table has 1000 rows whatever n_ids is",
    ),
    Slip("Tower", "dim=1", "dim=1, p=1", "when the absolute values of a row are made to sum to 1"),
    Slip(
        "Tower",
        RETURN,
        "self.table(ids) / self.table(ids).norm()",
        "when the whole batch is divided by one length",
    ),
    Slip(
        "Tower",
        RETURN,
        "self.table(ids) / self.table(ids).square().sum(dim=1, keepdim=True)",
        "when a row is divided by its squared length: the root is missing",
    ),
    Slip(
        "Tower",
        RETURN,
        "self.table(ids) / self.table(ids).norm(dim=1, keepdim=True).clamp(min=1.0)",
        "when rows longer than 1 are shortened and short ones are left as they are",
    ),
    Slip("Tower", RETURN, RETURN + ".squeeze()", "when squeeze() drops the axis of a batch of one"),
    Slip("Tower", RETURN, RETURN + ".detach()", "when detach() cuts the result off from the table"),
    Slip(
        "Tower",
        RETURN,
        "F.normalize(self.table.weight, dim=1)[: len(ids)]",
        "when the first rows of the table are returned, whatever the ids are",
    ),
    Slip(
        "Tower",
        RETURN,
        "F.normalize(self.table(ids.unique()), dim=1)",
        "when an id that occurs twice comes back once",
    ),
    Slip(
        "Tower",
        RETURN,
        "F.normalize(self.table(ids) - self.table(ids).mean(dim=0), dim=1)",
        "when a row depends on the rest of its batch: the batch mean is taken out",
    ),
    Slip("Tower", RETURN, "F.softmax(self.table(ids), dim=1)", "when softmax scales a row"),
    Slip(
        "Tower",
        "nn.Embedding(n_ids, d)",
        "nn.Embedding(n_ids, d, padding_idx=0)",
        "when id 0 is declared padding, so that its row never learns",
    ),
    Slip(
        "Tower",
        None,
        """
class solution_Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.table = 0.1 * torch.randn(n_ids, d)

    def forward(self, ids):
        return F.normalize(self.table[ids], dim=1)
""",
        "when the table is a plain tensor, which an optimizer does not see",
    ),
    Slip(
        "Tower",
        None,
        """
class solution_Tower(nn.Module):
    def __init__(self, n_ids, d):
        super().__init__()
        self.table = nn.Embedding.from_pretrained(0.1 * torch.randn(n_ids, d))

    def forward(self, ids):
        return F.normalize(self.table(ids), dim=1)
""",
        "when the table is frozen, as from_pretrained makes it",
    ),
    Slip(
        "Tower",
        "super().__init__()",
        "super().__init__(); torch.manual_seed(0)",
        "when each tower starts from the same seed, so that user 5 and item 5 are one vector",
    ),
    Slip(
        "Tower",
        None,
        """
class solution_Tower(nn.Module):
    tables = {}

    def __init__(self, n_ids, d):
        super().__init__()
        fresh = nn.Embedding(n_ids, d)
        nn.init.normal_(fresh.weight, std=0.1)
        self.table = self.tables.setdefault((n_ids, d), fresh)

    def forward(self, ids):
        return F.normalize(self.table(ids), dim=1)
""",
        "when the table belongs to the class, so that all towers of one size share it",
    ),
    Slip("Tower", START, "pass", "when the table keeps Embedding's own start, N(0, 1)"),
    Slip(
        "Tower",
        "std=0.1",
        "std=0.1**0.5",
        "when 0.1 is taken for the variance: N(0, 0.1²) has the standard deviation 0.1",
    ),
    Slip(
        "Tower",
        "std=0.1",
        "std=0.1**2",
        "when 0.1² is given as the standard deviation: it is the variance",
    ),
    Slip(
        "Tower",
        START,
        "nn.init.uniform_(self.table.weight, -0.1, 0.1)",
        "when the start is uniform on -0.1 to 0.1, a standard deviation of 0.058",
    ),
    Slip(
        "Tower",
        START,
        "nn.init.uniform_(self.table.weight, -0.03**0.5, 0.03**0.5)",
        "when the start is uniform, although its standard deviation is 0.1",
    ),
    Slip("Tower", "std=0.1", "mean=0.1, std=0.1", "when the start is centred on 0.1"),
    Slip(
        "Tower",
        START,
        "nn.init.normal_(self.table.weight, std=d**-0.5)",
        "when the start has the standard deviation 1/sqrt(d), as a linear layer would",
    ),
]

DIVIDED = "u @ v.T / temperature"
TARGETS = "torch.arange(len(logits))"
ENTROPY = "F.cross_entropy(logits, torch.arange(len(logits)))"

LOSS = [
    Slip(
        "in_batch_loss",
        "/ temperature",
        "* temperature",
        "when the products are multiplied by the temperature",
    ),
    Slip("in_batch_loss", " / temperature", "", "when the temperature is not used"),
    Slip("in_batch_loss", "/ temperature", "/ temperature**2", "when the temperature is squared"),
    Slip("in_batch_loss", "u @ v.T", "v @ u.T", "when the softmax runs over users, not items"),
    Slip(
        "in_batch_loss",
        ENTROPY,
        f"({ENTROPY} + {ENTROPY.replace('logits,', 'logits.T,')}) / 2",
        "when users over items and items over users are averaged, as CLIP does",
    ),
    Slip(
        "in_batch_loss",
        "len(logits)))",
        "len(logits)), reduction='sum')",
        "when the batch is summed, not averaged",
    ),
    Slip(
        "in_batch_loss",
        TARGETS,
        "torch.zeros(len(logits), dtype=torch.long)",
        "when column 0 is everybody's positive, not the diagonal",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "F.cross_entropy(logits, torch.arange(len(logits))) / np.log(2)",
        "when the surprise is counted in bits, not nats",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "-F.cross_entropy(logits, torch.arange(len(logits)))",
        "when the sign is lost: the mean log-probability, not the surprise",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "((logits - 1e9 * torch.eye(len(logits))).logsumexp(dim=1) - logits.diagonal()).mean()",
        "when the positive is left out of the denominator",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "F.binary_cross_entropy_with_logits(logits, torch.eye(len(logits)))",
        "when every pair is a yes-or-no question of its own: sigmoid, not softmax",
    ),
    Slip(
        "in_batch_loss",
        "F.cross_entropy(logits,",
        "F.cross_entropy(logits.softmax(dim=1),",
        "when cross_entropy is given probabilities: it takes a softmax itself",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "-logits.log_softmax(dim=1).mean()",
        "when the mean runs over all B x B entries, not over the diagonal",
    ),
    Slip(
        "in_batch_loss",
        "u @ v.T",
        "F.normalize(u, dim=1) @ F.normalize(v, dim=1).T",
        "when the rows are scaled to length 1 again, not used as they come",
    ),
    Slip(
        "in_batch_loss",
        "u @ v.T",
        "u @ v.detach().T",
        "when the items are detached, so that only users learn",
    ),
    Slip(
        "in_batch_loss",
        "u @ v.T",
        "u.detach() @ v.T",
        "when the users are detached, so that only items learn",
    ),
    Slip(
        "in_batch_loss",
        "u @ v.T",
        "(u @ v.T).detach()",
        "when users and items are detached, so that nothing learns",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        "-(logits.softmax(dim=1).diagonal() + 1e-8).log().mean()",
        "when 1e-8 is added to the probability, which caps the surprise at 18.4 nats",
    ),
    Slip(
        "in_batch_loss",
        ENTROPY,
        ENTROPY + ".item()",
        "when item() makes a Python number of the loss",
    ),
]

LOG = "q.clamp(min=1e-6).log()"

LOGQ = [
    Slip(
        "logq_correct",
        "logits - q",
        "logits + q",
        "when ln q is added, so that popular items are punished twice",
    ),
    Slip(
        "logq_correct",
        LOG,
        LOG + "[:, None]",
        "when ln q runs along the rows, which softmax ignores",
    ),
    Slip(
        "logq_correct",
        "q.clamp(min=1e-6)",
        "q",
        "when q is not clipped, so that an unseen item gets infinity",
    ),
    Slip(
        "logq_correct",
        "min=1e-6",
        "max=1e-6",
        "when q is clipped from above, so that all items look alike",
    ),
    Slip("logq_correct", "min=1e-6", "min=1e-8", "when the floor is 1e-8, not 1e-6"),
    Slip("logq_correct", "min=1e-6", "min=1e-3", "when the floor is 1e-3, not 1e-6"),
    Slip(
        "logq_correct",
        LOG,
        "(q + 1e-6).log()",
        "when 1e-6 is added to q, where it should be the least q",
    ),
    Slip("logq_correct", LOG, "q.log().clamp(min=1e-6)", "when the logarithm is clipped, not q"),
    Slip("logq_correct", ".log()", ".log2()", "when the logarithm has base 2"),
    Slip("logq_correct", ".log()", ".log10()", "when the logarithm has base 10"),
    Slip("logq_correct", ".log()", "", "when q itself is subtracted, not its logarithm"),
    Slip(
        "logq_correct",
        LOG,
        "(q * len(q)).clamp(min=1e-6).log()",
        "when q is multiplied by the batch size",
    ),
    Slip(
        "logq_correct",
        LOG,
        LOG + " * (1 - torch.eye(len(q)))",
        "when only the negatives are corrected and the positive is not",
    ),
    Slip(
        "logq_correct",
        LOG,
        LOG + " * torch.eye(len(q))",
        "when only the positive is corrected and the negatives are not",
    ),
    Slip(
        "logq_correct",
        "logits - q.clamp(min=1e-6).log()",
        "logits / q.clamp(min=1e-6)",
        "when the logits are divided by q: logits are logarithms already",
    ),
    Slip(
        "logq_correct",
        LOG,
        "(q / q.sum()).clamp(min=1e-6).log()",
        "when q is rescaled to sum to 1 over the batch",
    ),
    Slip(
        "logq_correct",
        "logits - q",
        "logits.detach() - q",
        "when the logits are detached, so that nothing learns",
    ),
    Slip(
        "logq_correct",
        "return logits - q.clamp(min=1e-6).log()",
        "logits.data -= q.clamp(min=1e-6).log()\n    return logits",
        "when the caller's logits are changed in place",
    ),
    Slip(
        "logq_correct",
        "q.clamp(min=1e-6)",
        "q.clamp_(min=1e-6)",
        "when the caller's q is clipped in place",
    ),
]
