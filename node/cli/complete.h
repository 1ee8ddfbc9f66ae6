/*
 * complete.h: completion scripts, generated from the table.
 */
#ifndef ESSAIM_CLI_COMPLETE_H
#define ESSAIM_CLI_COMPLETE_H

void complete_bash(void);
void complete_zsh(void);
void complete_fish(void);

#endif
