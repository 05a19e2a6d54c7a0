"""Recordings to a LeRobot data set (version 3): `lam convert`.

recording -> tracks (streams) -> rows on a grid (grid) -> pictures to video (pictures)
          -> a part (parts) -> the data set (dataset)
"""
