"""Wrong on purpose: what people write in lab 3, and what each of them gives."""

from checks.lab_3_bpe.slips_early import EARLY
from checks.lab_3_bpe.slips_fast import FAST
from checks.lab_3_bpe.slips_late import LATE

SLIPS = [*EARLY, *LATE, *FAST]
