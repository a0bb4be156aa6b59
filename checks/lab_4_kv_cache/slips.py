"""Wrong on purpose: what people write in lab 4, and what each of them gives."""

from checks.lab_4_kv_cache.slips_cached import CACHED
from checks.lab_4_kv_cache.slips_decoder import DECODER
from checks.lab_4_kv_cache.slips_further import FURTHER
from checks.lab_4_kv_cache.slips_numbers import NUMBERS
from checks.lab_4_kv_cache.slips_store import STORE

SLIPS = [*DECODER, *STORE, *CACHED, *NUMBERS, *FURTHER]
