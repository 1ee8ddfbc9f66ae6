/*
 * severity.h: how bad a finding is.
 */
#ifndef ESSAIM_SEVERITY_H
#define ESSAIM_SEVERITY_H

enum severity { SEVERITY_INFO = 1, SEVERITY_WARNING = 2, SEVERITY_ERROR = 3 };

const char *severity_name(enum severity severity); /* "info", "warning", "error" */

#endif
