"""How a stage is judged: one package a lab, and the engine in `checks.runner`."""
