"""The only door to Facebook: one session, its errors, and the calls for audiences, members and ad sets."""
