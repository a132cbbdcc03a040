// The panel begins here: it reads from the address what to show.
export {};
