"""The checks of lab 4, one a stage, and the counter of rows that its plots use too."""

from checks.lab_4_kv_cache.rows import count_rows
from checks.lab_4_kv_cache.stages import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

__all__ = [
    "check_stage1",
    "check_stage2",
    "check_stage3",
    "check_stage4",
    "check_stage5",
    "check_stage6",
    "count_rows",
]
