/*
 * man.h: the manual page essaim(1), generated from the table; man/essaim.1 is its output.
 */
#ifndef ESSAIM_CLI_MAN_H
#define ESSAIM_CLI_MAN_H

void man_page(void);

#endif
