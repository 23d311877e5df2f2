"""The objects of the wire, written down from the contract by hand (api.md §15, webhooks.md §4): field -> type code.

`field:code` in the order of the messages. `~field` is a member that only some answers have; a name as code stands for
the shape of that name, with the members it has there: `plan+charges+taxes`. `=x` is the constant x. What the product
adds to the contract is among the members: `disabled_at` and `secret` of a webhook endpoint.
"""

from __future__ import annotations

ADDRESS = "address_line1:str? address_line2:str? city:str? zipcode:str? state:str? country:str?"
APPLIED_TAX = """tax_name:str tax_code:str tax_rate:num tax_description:str? amount_cents:int amount_currency:str"""
NOTE_TAX = """tax_name:str tax_code:str tax_rate:num tax_description:str? base_amount_cents:int amount_cents:int
    amount_currency:str"""

SHAPES: dict[str, str] = {
    "customer": """
        lago_id:uuid billing_entity_code:str external_id:str account_type:customer|partner name:str? firstname:str?
        lastname:str? customer_type:company|individual? sequential_id:int slug:str created_at:dt updated_at:dt
        country:str? address_line1:str? address_line2:str? state:str? zipcode:str? email:str? city:str? url:str?
        phone:str? logo_url:str? legal_name:str? legal_number:str? currency:str? tax_identification_number:str?
        timezone:str? applicable_timezone:str net_payment_term:int? external_salesforce_id:str?
        finalize_zero_amount_invoice:inherit|skip|finalize billing_configuration:customer_configuration
        shipping_address:shipping_address skip_invoice_custom_sections:bool metadata:customer_metadata[]
        ~integration_customers:json[] ~taxes:tax[] ~applicable_invoice_custom_sections:json[] ~error_details:json[]""",
    "customer_configuration": """
        invoice_grace_period:int? payment_provider:str? payment_provider_code:str? document_locale:str?
        subscription_invoice_issuing_date_anchor:current_period_end|next_period_start?
        subscription_invoice_issuing_date_adjustment:keep_anchor|align_with_finalization_date?
        ~provider_customer_id:str? ~sync_with_provider:bool""",
    "shipping_address": ADDRESS,
    "customer_metadata": "lago_id:uuid key:str value:str display_in_invoice:bool created_at:dt",
    "tax": """
        lago_id:uuid name:str code:str rate:num description:str? applied_to_organization:bool add_ons_count:=0
        customers_count:=0 plans_count:=0 charges_count:=0 commitments_count:=0 created_at:dt
        ~applied_to_billing_entities_codes:str[]""",
    "billing_entity": """
        lago_id:uuid code:str name:str default_currency:str timezone:str document_locale:str
        document_numbering:per_customer|per_billing_entity
        subscription_invoice_issuing_date_adjustment:keep_anchor|align_with_finalization_date
        subscription_invoice_issuing_date_anchor:current_period_end|next_period_start country:str? address_line1:str?
        address_line2:str? phone:str? city:str? state:str? zipcode:str? email:str? legal_name:str? legal_number:str?
        document_number_prefix:str? tax_identification_number:str? invoice_footer:str? logo_url:str?
        net_payment_term:int invoice_grace_period:int einvoicing:bool finalize_zero_amount_invoice:bool is_default:bool
        eu_tax_management:bool email_settings:str[] created_at:dt updated_at:dt ~taxes:tax[]
        ~selected_invoice_custom_sections:json[]""",
    "organization": """
        lago_id:uuid name:str slug:str default_currency:str timezone:str webhook_url:str
        document_numbering:per_customer|per_organization events_store:postgres country:str? address_line1:str?
        address_line2:str? state:str? zipcode:str? email:str? city:str? legal_name:str? legal_number:str?
        document_number_prefix:str? tax_identification_number:str? webhook_urls:str[] email_settings:str[]
        net_payment_term:int finalize_zero_amount_invoice:bool billing_configuration:organization_configuration
        created_at:dt ~taxes:tax[]""",
    "organization_configuration": "invoice_footer:str? invoice_grace_period:int document_locale:str",
    "add_on": """
        lago_id:uuid name:str invoice_display_name:str? code:str description:str? amount_cents:int amount_currency:str
        created_at:dt taxes:tax[]""",
    "billable_metric": """
        lago_id:uuid name:str code:str description:str?
        aggregation_type:count_agg|sum_agg|max_agg|unique_count_agg|weighted_sum_agg|latest_agg|custom_agg
        weighted_interval:seconds? recurring:bool rounding_function:round|ceil|floor? rounding_precision:int?
        created_at:dt field_name:str? expression:str? filters:metric_filter[] ~active_subscriptions_count:=0
        ~draft_invoices_count:=0 ~plans_count:=0""",
    "metric_filter": "key:str values:str[]",
    "plan": """
        lago_id:uuid name:str invoice_display_name:str? created_at:dt code:str
        interval:weekly|monthly|quarterly|semiannual|yearly? description:str? amount_cents:int? amount_currency:str
        trial_period:num? pay_in_advance:bool? bill_charges_monthly:bool? bill_fixed_charges_monthly:bool?
        customers_count:=0 active_subscriptions_count:=0 draft_invoices_count:=0 parent_id:uuid? pending_deletion:bool
        ~charges:charge+taxes[] ~entitlements:json[] ~usage_thresholds:usage_threshold[]
        ~applicable_usage_thresholds:applicable_threshold[] ~taxes:tax[] ~minimum_commitment:minimum_commitment
        ~metadata:map ~fixed_charges:fixed_charge+taxes[]""",
    "charge": """
        lago_id:uuid lago_billable_metric_id:uuid code:str invoice_display_name:str? billable_metric_code:str
        created_at:dt
        charge_model:standard|graduated|package|percentage|volume|graduated_percentage|custom|dynamic invoiceable:bool
        regroup_paid_fees:invoice? pay_in_advance:bool prorated:bool min_amount_cents:int accepts_target_wallet:bool
        properties:map applied_pricing_unit:map? lago_parent_id:uuid? filters:filter[] ~taxes:tax[]""",
    "fixed_charge": """
        lago_id:uuid lago_add_on_id:uuid lago_parent_id:uuid? code:str add_on_code:str invoice_display_name:str
        charge_model:standard|graduated|volume pay_in_advance:bool prorated:bool properties:map units:dec created_at:dt
        ~taxes:tax[]""",
    "filter": "lago_id:uuid charge_code:str invoice_display_name:str? properties:map values:map",
    "usage_threshold": """
        lago_id:uuid threshold_display_name:str? amount_cents:int recurring:bool created_at:dt updated_at:dt""",
    "applicable_threshold": "threshold_display_name:str? amount_cents:int recurring:bool",
    "minimum_commitment": """
        lago_id:uuid plan_code:str invoice_display_name:str? amount_cents:int
        interval:weekly|monthly|quarterly|semiannual|yearly created_at:dt updated_at:dt taxes:tax[]""",
    "coupon": """
        lago_id:uuid name:str code:str description:str? coupon_type:fixed_amount|percentage amount_cents:int?
        amount_currency:str? percentage_rate:dec? frequency:once|recurring|forever frequency_duration:int? reusable:bool
        limited_plans:bool plan_codes:str[] limited_billable_metrics:bool billable_metric_codes:str[] created_at:dt
        expiration:no_expiration|time_limit expiration_at:dt? terminated_at:dt?""",
    "applied_coupon": """
        lago_id:uuid lago_coupon_id:uuid coupon_code:str coupon_name:str coupon_description:str?
        coupon_status:active|terminated lago_customer_id:uuid external_customer_id:str status:active|terminated
        amount_cents:int? amount_cents_remaining:int? amount_currency:str? percentage_rate:dec?
        frequency:once|recurring|forever frequency_duration:int? frequency_duration_remaining:int? created_at:dt
        coupon_deleted_at:dt? expiration_at:dt? terminated_at:dt? ~credits:credit[]""",
    "lifetime_usage": """
        lago_id:uuid lago_subscription_id:uuid external_subscription_id:str external_historical_usage_amount_cents:int
        invoiced_usage_amount_cents:int current_usage_amount_cents:int from_datetime:dt? to_datetime:dt
        ~usage_thresholds:reached_threshold[]""",
    "reached_threshold": "amount_cents:int completion_ratio:num reached_at:dt3?",
    "alert": """
        lago_id:uuid lago_organization_id:uuid subscription_external_id:str? external_subscription_id:str?
        lago_wallet_id:uuid? wallet_code:str? alert_type:str code:str name:str? direction:increasing|decreasing
        previous_value:dec last_processed_at:dt? thresholds:alert_threshold[] created_at:dt
        billable_metric:billable_metric?""",
    "alert_threshold": "code:str? value:dec recurring:bool",
    "subscription": """
        lago_id:uuid external_id:str lago_customer_id:uuid external_customer_id:str billing_entity_code:str name:str?
        plan_code:str plan_amount_cents:int? plan_amount_currency:str
        status:pending|active|terminated|canceled|incomplete billing_time:calendar|anniversary subscription_at:dt?
        started_at:dt3? trial_ended_at:dt? ending_at:dt? terminated_at:dt? canceled_at:dt? created_at:dt
        previous_plan_code:str? next_plan_code:str? downgrade_plan_date:date? current_billing_period_started_at:dt?
        current_billing_period_ending_at:dt? on_termination_credit_note:credit|skip|refund|offset?
        on_termination_invoice:generate|skip progressive_billing_disabled:bool consolidate_invoice:bool
        purchase_order_number:str? cancellation_reason:payment_failed|timeout? activated_at:dt? ~customer:customer
        ~entitlements:json[] payment_method:payment_method
        ~plan:plan+charges+usage_thresholds+applicable_usage_thresholds+taxes+minimum_commitment*+metadata*
        ~usage_threshold:usage_threshold ~applicable_usage_thresholds:applicable_threshold[]
        activation_rules:json[] ~applied_invoice_custom_sections:json[]""",
    "payment_method": "payment_method_id:uuid? payment_method_type:provider|manual",
    "event": """
        lago_id:uuid? transaction_id:str lago_customer_id:uuid? code:str timestamp:dt3
        precise_total_amount_cents:dec? properties:map lago_subscription_id:uuid? external_subscription_id:str
        created_at:dt?""",
    "invoice": """
        lago_id:uuid billing_entity_code:str sequential_id:int? number:str purchase_order_number:str? issuing_date:date
        payment_due_date:date? net_payment_term:int
        invoice_type:subscription|add_on|credit|one_off|advance_charges|progressive_billing
        status:draft|finalized|voided|failed|pending|deleted payment_status:pending|succeeded|failed
        payment_dispute_lost_at:dt3? payment_overdue:bool currency:str fees_amount_cents:int taxes_amount_cents:int
        progressive_billing_credit_amount_cents:int coupons_amount_cents:int credit_notes_amount_cents:int
        sub_total_excluding_taxes_amount_cents:int sub_total_including_taxes_amount_cents:int total_amount_cents:int
        total_due_amount_cents:int total_paid_amount_cents:int total_offsetted_credit_note_amount_cents:int
        prepaid_credit_amount_cents:int prepaid_granted_credit_amount_cents:int?
        prepaid_purchased_credit_amount_cents:int? file_url:str? xml_url:str? web_url:str? version_number:int
        self_billed:bool created_at:dt updated_at:dt voided_at:dt? ~customer:customer+integration_customers*
        ~subscriptions:subscription[] ~billing_periods:billing_period[] ~fees:fee+from_date*+to_date*[]
        ~credits:credit[] ~metadata:invoice_metadata[] ~applied_taxes:invoice_tax[] ~error_details:json[]
        ~applied_invoice_custom_sections:json[]""",
    "billing_period": """
        lago_subscription_id:uuid external_subscription_id:str lago_plan_id:uuid subscription_from_datetime:dt
        subscription_to_datetime:dt charges_from_datetime:dt charges_to_datetime:dt fixed_charges_from_datetime:dt?
        fixed_charges_to_datetime:dt? invoicing_reason:str""",
    "invoice_metadata": "lago_id:uuid key:str value:str created_at:dt",
    "invoice_tax": f"""
        lago_id:uuid lago_invoice_id:uuid lago_tax_id:uuid? {APPLIED_TAX} fees_amount_cents:int created_at:dt?""",
    "credit": """
        lago_id:uuid amount_cents:int amount_currency:str before_taxes:bool item:credit_item
        invoice:credited_invoice""",
    "credit_item": "lago_item_id:uuid? type:coupon|credit_note|invoice code:str? name:str? description:str?",
    "credit_note": """
        lago_id:uuid billing_entity_code:str sequential_id:int number:str lago_invoice_id:uuid invoice_number:str
        purchase_order_number:str? issuing_date:date credit_status:available|consumed|voided
        refund_status:pending|succeeded|failed?
        reason:duplicated_charge|product_unsatisfactory|order_change|order_cancellation|fraudulent_charge|other
        description:str? currency:str total_amount_cents:int precise_total_amount_cents:dec taxes_amount_cents:int
        precise_taxes_amount_cents:dec sub_total_excluding_taxes_amount_cents:int balance_amount_cents:int
        credit_amount_cents:int refund_amount_cents:int offset_amount_cents:int coupons_adjustment_amount_cents:int
        taxes_rate:num created_at:dt updated_at:dt file_url:str? xml_url:str? self_billed:bool
        ~customer:customer+integration_customers* ~items:credit_note_item[] ~applied_taxes:credit_note_tax[]
        ~error_details:json[] ~metadata:map""",
    "credit_note_item": """
        lago_id:uuid amount_cents:int precise_amount_cents:dec amount_currency:str fee:fee+from_date*+to_date*""",
    "credit_note_tax": f"""
        lago_id:uuid lago_credit_note_id:uuid lago_tax_id:uuid? {NOTE_TAX} created_at:dt?""",
    "payment": """
        lago_id:uuid lago_customer_id:uuid external_customer_id:str invoice_ids:uuid[] invoice_numbers:str[]
        lago_payable_id:uuid payable_type:Invoice|PaymentRequest amount_cents:int amount_currency:str status:str
        payment_status:pending|processing|succeeded|failed type:provider|manual reference:str
        payment_provider_code:str? payment_provider_type:str? external_payment_id:str? provider_payment_id:str?
        provider_customer_id:str? next_action:json? created_at:dt""",
    "payment_request": """
        lago_id:uuid amount_cents:int amount_currency:str email:str payment_status:pending|succeeded|failed
        created_at:dt customer:customer invoices:invoice[]""",
    "estimated_credit_note": """
        lago_invoice_id:uuid invoice_number:str currency:str taxes_amount_cents:int precise_taxes_amount_cents:dec
        sub_total_excluding_taxes_amount_cents:int max_creditable_amount_cents:int max_refundable_amount_cents:int
        max_offsettable_amount_cents:int coupons_adjustment_amount_cents:int
        precise_coupons_adjustment_amount_cents:dec taxes_rate:num items:estimated_item[]
        applied_taxes:estimated_tax[]""",
    "estimated_item": "lago_fee_id:uuid? amount_cents:int",
    "estimated_tax": f"lago_tax_id:uuid? {NOTE_TAX}",
    "credited_invoice": "lago_id:uuid payment_status:pending|succeeded|failed",
    "fee": """
        lago_id:uuid lago_charge_id:uuid? lago_charge_filter_id:uuid? lago_fixed_charge_id:uuid? lago_invoice_id:uuid?
        lago_true_up_fee_id:uuid? lago_true_up_parent_fee_id:uuid? lago_original_fee_id:uuid? lago_subscription_id:uuid?
        external_subscription_id:str? lago_customer_id:uuid? external_customer_id:str? item:fee_item pay_in_advance:bool
        invoiceable:bool amount_cents:int amount_currency:str precise_amount:dec precise_total_amount:dec
        taxes_amount_cents:int taxes_precise_amount:dec taxes_rate:num total_aggregated_units:dec?
        total_amount_cents:int total_amount_currency:str units:dec description:str? precise_unit_amount:dec
        precise_coupons_amount_cents:dec sub_total_excluding_taxes_amount_cents:int
        sub_total_excluding_taxes_precise_amount_cents:dec events_count:int?
        payment_status:pending|succeeded|failed|refunded created_at:dt? succeeded_at:dt? failed_at:dt? refunded_at:dt?
        amount_details:map self_billed:bool pricing_unit_details:map? presentation_breakdowns:json[] ~from_date:dto?
        ~to_date:dto? ~event_transaction_id:str? ~applied_taxes:fee_tax[]""",
    "fee_item": """
        type:charge|add_on|subscription|credit|commitment|fixed_charge|product code:str name:str description:str?
        invoice_display_name:str filters:map? filter_invoice_display_name:str? lago_item_id:uuid
        item_type:BillableMetric|AddOn|WalletTransaction|Subscription grouped_by:map""",
    "fee_tax": f"lago_id:uuid lago_fee_id:uuid lago_tax_id:uuid? {APPLIED_TAX} created_at:dt?",
    "webhook_endpoint": """
        lago_id:uuid lago_organization_id:uuid webhook_url:str signature_algo:jwt|hmac name:str? event_types:str[]?
        ~disabled_at:dt? created_at:dt ~secret:str""",
    "customer_usage": """
        from_datetime:dt to_datetime:dt issuing_date:date currency:str amount_cents:int total_amount_cents:int
        taxes_amount_cents:int lago_invoice_id:uuid? charges_usage:charge_usage[]""",
    "charge_usage": """
        units:dec total_aggregated_units:dec events_count:int amount_cents:int amount_currency:str
        pricing_unit_details:map? charge:used_charge billable_metric:used_metric
        filters:filter_usage+presentation_breakdowns*[]
        grouped_usage:grouped_usage+presentation_breakdowns*[]
        presentation_breakdowns:json[]""",
    "used_charge": "lago_id:uuid code:str charge_model:str invoice_display_name:str?",
    "used_metric": "lago_id:uuid name:str code:str aggregation_type:str",
    "filter_usage": """
        units:dec total_aggregated_units:dec events_count:int amount_cents:int pricing_unit_details:map?
        invoice_display_name:str? values:map? ~presentation_breakdowns:json[]""",
    "grouped_usage": """
        units:dec total_aggregated_units:dec events_count:int amount_cents:int pricing_unit_details:map? grouped_by:map
        filters:filter_usage+presentation_breakdowns*[] ~presentation_breakdowns:json[]""",
    "meta": "current_page:int next_page:int? prev_page:int? total_pages:int total_count:int",
    "events_errors": """
        invalid_code:str[] missing_aggregation_property:str[] missing_group_key:json? invalid_filter_values:str[]""",
}
