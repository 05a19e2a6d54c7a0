"""What is started together: one table, read by `lam up` and by the launch files."""
