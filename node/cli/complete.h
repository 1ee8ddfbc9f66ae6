/*
 * complete.h: a completion script for bash, generated from the table.
 */
#ifndef ESSAIM_CLI_COMPLETE_H
#define ESSAIM_CLI_COMPLETE_H

void complete_bash(void);

#endif
