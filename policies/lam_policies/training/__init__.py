"""Training that is quick on a CPU: decoded once, read from memory maps, resumable."""
