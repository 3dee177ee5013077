"""What lands on disk: images, recipes, the journal and the table."""
