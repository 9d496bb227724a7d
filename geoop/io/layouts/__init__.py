"""Published data sets in the layout in which they are downloaded, one file per layout."""
