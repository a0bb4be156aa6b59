"""Wrong on purpose: what people write in lab 6, and what each of them gives."""

from checks.lab_6_calibration_ab.slips_calibration import CALIBRATION
from checks.lab_6_calibration_ab.slips_experiments import EXPERIMENTS

SLIPS = [*CALIBRATION, *EXPERIMENTS]
