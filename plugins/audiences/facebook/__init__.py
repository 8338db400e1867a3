"""All that speaks with Facebook: one session, its errors, and the calls for audiences, members and ad sets."""
