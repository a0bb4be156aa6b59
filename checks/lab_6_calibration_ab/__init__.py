"""The checks of lab 6, one a stage."""

from checks.lab_6_calibration_ab.stages import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
    check_stage7,
)

__all__ = [
    "check_stage1",
    "check_stage2",
    "check_stage3",
    "check_stage4",
    "check_stage5",
    "check_stage6",
    "check_stage7",
]
