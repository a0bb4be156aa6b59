"""Wrong on purpose: what people write in lab 5, and what each of them gives."""

from checks.lab_5_mini_rag.slips_early import EARLY
from checks.lab_5_mini_rag.slips_fused import FUSED
from checks.lab_5_mini_rag.slips_late import LATE
from checks.lab_5_mini_rag.slips_metrics import METRICS
from checks.lab_5_mini_rag.slips_middle import MIDDLE

SLIPS = [*EARLY, *METRICS, *MIDDLE, *FUSED, *LATE]
