module veschub

go 1.19
