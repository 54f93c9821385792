"""Groups entries into stories and finds their publishers. Pure: no store, no clock."""
