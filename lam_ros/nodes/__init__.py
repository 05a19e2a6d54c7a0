"""One file an executable.  A node is thin: its callbacks translate, call the core, publish."""
