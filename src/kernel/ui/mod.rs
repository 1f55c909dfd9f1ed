//! The design system: layout, components, the page every template extends.
