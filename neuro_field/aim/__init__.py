"""What to reach: targets, the sites of an atlas, the sulcus beside one, and the scalp above."""
