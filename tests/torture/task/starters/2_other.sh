# Another shape, a little better.
A=1  # tune: 1, 2, 3, 4, 5, 6, 7, 8
B=8  # tune: 1, 2, 3, 4, 5, 6, 7, 8
C=1  # tune: 1, 2, 3, 4, 5, 6, 7, 8
D=8  # tune: 1, 2, 3, 4, 5, 6, 7, 8
E=1  # tune: 1, 2, 3, 4, 5, 6, 7, 8
SHAPE=25
