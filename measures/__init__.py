"""How good generated images are: distances to real ones, copies of training images, and how sure a number is."""
