"""Wrong on purpose: what people write in lab 2, and what each of them gives."""

from checks.lab_2_transformer import (
    slips_attention,
    slips_block,
    slips_charlm,
    slips_heads,
    slips_rope,
)

SLIPS = [
    *slips_attention.SLIPS,
    *slips_heads.SLIPS,
    *slips_block.SLIPS,
    *slips_charlm.SLIPS,
    *slips_rope.SLIPS,
]
