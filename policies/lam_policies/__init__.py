"""Training and serving of policies: from a data set to joint targets."""
