//! Rate limits: are they enforced as declared, told as the standards say, and of the kind that is declared?

pub mod evidence;
pub mod limiter;
mod probe;
mod rules;
