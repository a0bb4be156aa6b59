"""The checks of lab 8, one a stage, and the data that they are judged on."""

from checks.lab_8_on_call.metrics import change_log, score_alarms, service_metrics
from checks.lab_8_on_call.stages import (
    check_stage1,
    check_stage2,
    check_stage3,
    check_stage4,
    check_stage5,
    check_stage6,
)

__all__ = [
    "change_log",
    "check_stage1",
    "check_stage2",
    "check_stage3",
    "check_stage4",
    "check_stage5",
    "check_stage6",
    "score_alarms",
    "service_metrics",
]
