"""The steps of a run in their order: open_run, preflight, extract, select, plan, (upload), link_ad_sets, close_run."""
