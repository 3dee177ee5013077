"""One file for each form of labels that is read; importing the package adds them to `photographs.label_forms`."""
