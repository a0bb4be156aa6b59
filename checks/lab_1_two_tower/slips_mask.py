"""Wrong on purpose, stage 6: accidental hits."""

from checks.expect import Slip

FILL = 'logits.masked_fill(same & ~own, float("-inf"))'

MASK = [
    Slip("mask_accidental_hits", "same & ~own", "same", "when the positives are masked as well"),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "same & own",
        "when the positives are masked and the hits are left",
    ),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "~same & ~own",
        "when all other items are masked and the hits are left",
    ),
    Slip(
        "mask_accidental_hits",
        'float("-inf")',
        "0.0",
        "when hits are set to 0, or multiplied by it: softmax gives e^0 its share",
    ),
    Slip(
        "mask_accidental_hits",
        'float("-inf")',
        "-1.0",
        "when the fill is -1, which softmax does not turn to 0",
    ),
    Slip(
        "mask_accidental_hits",
        'float("-inf")',
        "logits.min().item()",
        "when the fill is the smallest logit, which keeps its share",
    ),
    Slip(
        "mask_accidental_hits",
        'float("-inf")',
        "-10.0",
        "when the fill is -10: a share is left, all of it where logits are low",
    ),
    Slip("mask_accidental_hits", 'float("-inf")', 'float("inf")', "when the fill is plus infinity"),
    Slip("mask_accidental_hits", 'float("-inf")', 'float("nan")', "when the fill is NaN"),
    Slip(
        "mask_accidental_hits",
        "same = item_ids[:, None] == item_ids ",
        "same = item_ids.float()[:, None] == item_ids.float() ",
        "when ids are compared as float32, which holds whole numbers up to 2^24",
    ),
    Slip(
        "mask_accidental_hits",
        FILL,
        FILL + ".log_softmax(dim=1)",
        "when log-probabilities are returned, not the logits as they were",
    ),
    Slip(
        "mask_accidental_hits",
        FILL,
        'logits + (same & ~own) * float("-inf")',
        "when the mask is multiplied by infinity: 0 times infinity is NaN",
    ),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "same.tril(-1)",
        "when only columns to the left of the positive are masked",
    ),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "same.triu(1)",
        "when only columns to the right of the positive are masked",
    ),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "(same & ~own).any(dim=0) & ~own",
        "when a column is masked for everybody once its item occurs twice",
    ),
    Slip(
        "mask_accidental_hits",
        "same & ~own",
        "(same & ~own).any(dim=1, keepdim=True) & ~own",
        "when a row with a hit loses all its negatives",
    ),
    Slip(
        "mask_accidental_hits",
        FILL,
        'logits.masked_fill_(same & ~own, float("-inf"))',
        "when the caller's logits are changed in place",
    ),
    Slip(
        "mask_accidental_hits",
        FILL,
        'logits.detach().masked_fill(same & ~own, float("-inf"))',
        "when the logits are detached, so that nothing learns",
    ),
    Slip(
        "mask_accidental_hits",
        FILL,
        "logits.softmax(dim=1).masked_fill(same & ~own, 0.0)",
        "when probabilities are masked and returned, not logits",
    ),
]
