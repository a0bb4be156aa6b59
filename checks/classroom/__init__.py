"""A class: labs handed out without solutions, and many hand-ins judged side by side."""
