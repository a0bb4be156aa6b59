"""Wrong on purpose: what people write in lab 1, and what each of them gives."""

from checks.lab_1_two_tower.slips_mask import MASK
from checks.lab_1_two_tower.slips_search import HASH, RECALL, SEARCH
from checks.lab_1_two_tower.slips_towers import LOGQ, LOSS, TOWER

SLIPS = [*TOWER, *LOSS, *LOGQ, *RECALL, *HASH, *SEARCH, *MASK]
