-- The next free card of a product is the first entry of one index, whatever the statistics say. With less in the index a plan
-- made once a connection gathered all of a product's free cards and sorted them (5 ms a sale with 12,000 cards in stock).
drop index stock_cards_free;
create index stock_cards_free on stock_cards (product_id, merchant_id, home, id) where state = 0;
-- A sold card changes its row: what only free cards are asked for leaves sold ones out, and that a line has one card is what
-- order_cards' key says.
drop index stock_cards_batch, stock_cards_line;
create index stock_cards_batch on stock_cards (batch_id) where state = 0;
