pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi_on(jiff::civil::date(2027, 1, 15))
}
pub fn openapi_on(_today: crate::domain::Date) -> utoipa::openapi::OpenApi {
    Default::default()
}
