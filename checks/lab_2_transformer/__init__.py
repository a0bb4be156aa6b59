"""The checks of lab 2, one a stage."""

from checks.lab_2_transformer.stages import (
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
]
