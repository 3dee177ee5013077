"""The browser demo and its REST door: the same jobs, on one page. Needs the optional extra `web`."""
