DROP TABLE promoted_result;
DROP TABLE asked_query;
DROP TABLE saved_search_match;
DROP TABLE saved_search;
