"""The checks of lab 7, one a stage."""

from checks.lab_7_kmeans_ann.stages import (
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
