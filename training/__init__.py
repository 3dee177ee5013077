"""What the training of generators and of classifiers share."""
