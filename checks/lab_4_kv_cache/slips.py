"""Wrong on purpose: what people write in lab 4, and what each of them gives."""

from checks.lab_4_kv_cache.slips_cache import CACHE
from checks.lab_4_kv_cache.slips_forward import FORWARD

SLIPS = [*FORWARD, *CACHE]
