"""Is a recording any good? Figures of each episode, outliers among them, and a page to look at.

recording -> look (figures and series) -> outliers -> table, page
"""
