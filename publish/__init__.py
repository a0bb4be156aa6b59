"""What leaves the repository: notebooks to download, and the front page."""
