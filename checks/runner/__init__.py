"""The engine: it finds labs by path and checks by stem, and knows no lab by name."""
