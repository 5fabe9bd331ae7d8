/* latest.h - what was made or trained last, for those who do not say what they mean (views, the panel). */
#ifndef RHM_LATEST_H
#define RHM_LATEST_H

#include <lua.h>

enum rhm_latest_kind { RHM_LATEST_NETWORK, RHM_LATEST_GRAMMAR, RHM_LATEST_SOURCE, RHM_LATEST_LEARNER };

/* Notes the object at `index`. A source (a grammar or data set to train from) is kept alive, the others are
 * not. A network is the latest learner as well; other learners are no networks. */
void rhm_latest_set(lua_State *L, enum rhm_latest_kind kind, int index);

/* Adds rhm.latest to the table on top. */
void rhm_latest_open(lua_State *L);

#endif
